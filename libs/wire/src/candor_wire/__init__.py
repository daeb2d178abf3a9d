"""Candor's schemas as Python modules.

The modules themselves are `candor.<service>.v1.*_pb2`, generated from `protos/` by `python -m candor_wire.generate`
and checked in; `python -m candor_wire.check` lints the schemas and proves that generating again leaves no difference.
"""
