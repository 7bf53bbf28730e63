"""What measures and judges us is itself held to something."""
