"""Each way of writing an exception, read into one form."""
