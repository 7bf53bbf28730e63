"""The rules that more than one service keeps."""
