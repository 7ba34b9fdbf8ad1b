"""How a family at a level becomes pictures of the network's input size."""
