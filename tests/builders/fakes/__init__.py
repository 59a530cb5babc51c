"""The ports in memory, one file per file of slipway/ports. ``InMemory`` ones keep the
adapters' rules and are held to their contract tests; ``Stub`` ones answer what a test told them.
"""
