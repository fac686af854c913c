"""The Common Expression Language: text and values in, a value or an error out.

The way of an expression: ``lexer`` (text to tokens), ``parser`` with ``macros`` (tokens to the ``syntax`` tree),
``generate`` (tree to the source text of one Python function), ``program`` (the function, ready to be called).
``runtime`` holds the operators that the generated text calls, ``values`` the types that JSON lacks, and ``library``
the functions by topic, each imported when an expression first uses it.

Values are JSON-shaped Python values and ``core.resource.UNKNOWN``. Three rules go beyond the standard:

* touching ``UNKNOWN`` raises ``UnknownValue``, an error like any other: ``&&`` and ``||`` absorb it;
* ``.?`` and ``[?]`` on null give ``optional.none()``, because Kubernetes treats null as absent;
* running out of steps (``CostExceeded``) is never absorbed.

Expressions are evaluated without a type check, so an overload that does not exist is found when it is reached.
The room reads no clock, no file and no network, and does not know where a value came from.
"""
