"""placeholder"""
class Watch:
    def __init__(self, run): self.run=run
    def judged(self): return []
