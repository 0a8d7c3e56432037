"""What each group of faults is, those of the soak that strike on their own."""


class Group:
    """Kinds of faults that exclude each other; those of other groups do not."""

    gap = (1, 4)
    network = False

    def __init__(self, stand, rng, sleep):
        self.stand = stand
        self.rng = rng
        self.sleep = sleep

    def kinds(self):
        """[(name, strike)]; a strike gives False where it could not."""
        raise NotImplementedError

    def heal(self):
        """After the last one."""
