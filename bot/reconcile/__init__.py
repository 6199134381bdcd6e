"""The one loop: claims what is due, tries it item by item, settles it; pauses, budgets and lease renewal."""
