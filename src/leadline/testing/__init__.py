"""For plugin authors: contract suites to run, scenes whose depth is known in closed form, and a network likewise."""
