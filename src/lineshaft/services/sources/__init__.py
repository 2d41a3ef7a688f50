"""Where runs come from, and what they work on: forges, repositories, other runs."""
