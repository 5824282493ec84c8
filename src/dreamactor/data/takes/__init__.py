"""Where clips come from: performances, each seen by one camera or several, from files or drawn."""
