"""Speed and size, printed as ratios against named peers in the same run; never asserted."""
