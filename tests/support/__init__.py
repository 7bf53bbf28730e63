"""What tests are made of: makers, clock, fakes, receiver, servers, waiting."""
