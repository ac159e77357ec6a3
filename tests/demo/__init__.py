"""`make demo`: both seed requests on a lab of SSH hosts, from nothing to their artifacts."""
