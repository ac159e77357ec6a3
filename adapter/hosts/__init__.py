"""Targets to hosts: the inventory is the CMDB."""
