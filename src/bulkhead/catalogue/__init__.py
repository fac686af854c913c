"""Controls as data: one YAML file each, and a compiled index.

Never evaluates a control and never touches the network.
"""
