"""What the build needs Python for: interpreters, the layers' contents, runtime clients."""
