"""DenseDepth: a densely connected encoder, a plain decoder with skips, inverse depth at half resolution."""
