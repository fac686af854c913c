"""What views and facts catch where an object has not the shape of its kind (see ``core.shapes``)."""

from bulkhead.core.shapes import WRONG_SHAPE

__all__ = ["WRONG_SHAPE"]
