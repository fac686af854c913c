"""One module for each command: NAME, HELP, ``add_arguments`` and ``run``. Commands do not import each other."""
