"""What templates show: frozen values made of what the rooms return, with every text and address ready."""
