"""The decisions of the dispatcher, and its loops on fakes; no sockets."""
