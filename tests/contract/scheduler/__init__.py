"""The ports of the scheduler: the fake and the real adapter keep the same promises."""
