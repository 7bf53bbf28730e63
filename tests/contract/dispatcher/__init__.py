"""The ports of the dispatcher: the fake and the real adapter keep the same promises."""
