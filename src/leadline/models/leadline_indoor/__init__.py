"""leadline-indoor: metric depth of rooms, small enough to ship in the wheel."""
