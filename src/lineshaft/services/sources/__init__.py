"""Where runs come from: forges, repositories, and what they tell."""
