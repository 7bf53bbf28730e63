"""How a process lives: settings, clock, logs, supervision; it knows no business."""
