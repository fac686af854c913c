"""Dockerfiles and Containerfiles: instructions with spans, shell commands inside them, and edits back into bytes.

Pure. It reads what BuildKit's parser reads, says what stands where, and never judges it. ``load`` gives the model
that checks read, ``locate`` finds spans, ``apply`` changes bytes.

The model: ``directives`` (syntax, escape, check), ``escape``, ``comments`` (line, text), ``args_before_from`` and

``stages``, each with ``index``, ``name`` when it has one, ``from`` (its instruction), ``line``, ``final``,
``continued`` (a later stage starts from it), ``instructions``, ``user`` and ``workdir`` and ``env`` as it leaves them,
``user_at`` (its own last USER), ``base`` and ``root`` (the base of the stage it goes back to). A base has ``image`` as
written, ``written`` (its parts as written) and, with ARG defaults put in, ``registry``, ``repository``, ``tag``,
``digest``, ``platform``, ``stage`` when it is an earlier one, ``scratch``, ``variables``, ``arg`` (it depends on a
value that the file does not give; such parts are UNKNOWN).

``instructions``, each with ``index``, ``name`` (stable), ``cmd``, ``step`` (what runs: RUN for ONBUILD RUN), ``stage``
(-1 before the first FROM), ``nth`` (of its kind in the stage), ``line``, ``end_line``, ``source`` and ``body`` (the
whole text and its arguments, as in the file), ``value`` (joined), ``json``, ``args``, ``flags``, ``mounts``,
``flag_words``, ``pairs``, ``heredocs``, ``onbuild``, ``ports``, ``sources`` and ``destination`` and ``copies`` (the
stage or image of --from) and ``archive`` and ``unpacked_by``, ``numeric`` (a USER in numbers), ``exec_form`` (JSON for
what needs no shell), ``self_references``; and what is in effect there: ``shell``, ``pipefail``, ``env``, ``workdir``,
``user``.

``commands`` are those written in a RUN, CMD, ENTRYPOINT or HEALTHCHECK; ``effective`` adds those they run (``via``
sudo, sh -c …). Each has ``name``, ``argv``, ``flags``, ``words``, ``options``, ``env``, ``operator``, ``pipeline``,
``position``, ``subshell``, ``stdin``, ``redirects``, ``text``; package managers' also ``manager``, ``install``,
``packages`` (name, pinned), ``requirements`` (pip). ``pipes`` tells whether a pipe stands anywhere. ``head``, then
``before`` and ``text`` of each of ``pieces``, then ``tail`` are the source again.

Edits: ``replace``, ``delete``, ``insert_before``, ``insert_after``, ``append_text`` on ("instructions", i); ``set`` on
("stages", n, "image"), ("instructions", i, "flags", name); below ("instructions", i, "commands"): ``append`` one more
command, ``remove`` (k), ``set`` and ``remove`` (k, "options", word), ``set`` and ``remove`` (k, "name").
"""

from bulkhead.formats.dockerfile.edits import apply
from bulkhead.formats.dockerfile.model import load, parse
from bulkhead.formats.dockerfile.spans import locate

__all__ = ["apply", "load", "locate", "parse"]
