"""Container images into resources: configuration, history, layers, and what lies in their files.

``archive.read_archive`` reads an archive of ``docker save``, an OCI layout as a folder or an archive;
``registry.read_registry`` reads from a registry (imported on its own: it brings asyncio). Layers are read as streams and
never written out as files. What could not be read is a Gap, and what depends on it is unknown. Never judges, never keeps
the value of a secret.

The data of a resource ``Image``:

``reference``, ``digest`` (of the manifest; the image id where an archive keeps none), ``id``, ``tags``, ``created``,
``os``, ``architecture``; ``config`` with User, Env, Entrypoint, Cmd, ExposedPorts, Volumes, WorkingDir, Labels,
Healthcheck, StopSignal, OnBuild, Shell as far as they are set (User, Env, Entrypoint, Cmd, ExposedPorts, Volumes, OnBuild
and Labels always are); ``config_secrets`` as ``{where, name, kind}``; ``history`` as ``{created, created_by,
empty_layer}``; ``layers_count``; ``layers`` as ``{digest, size, media_type, files, wasted}``.

Unknown where any layer could not be read whole: ``size``, ``wasted_bytes``, ``wasted_percent``, ``package_cache`` as
``{path, files, size}``, and ``files`` with the lists of absolute paths ``setuid``, ``setgid``, ``world_writable``,
``capabilities``, ``package_managers``, ``debug_tools``, ``shells``, ``root_files`` (files lying directly in ``/``) and
``unneeded``, with ``secrets`` as ``{path, kind, layer, deleted}``, ``empty_passwords`` and ``duplicate_uids``, with
``sshd`` as a boolean, and with ``counts`` of the lists, which themselves are cut at 1,000.
"""
