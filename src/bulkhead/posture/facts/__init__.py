"""What follows from several resources together: effective permissions, reachability, surroundings of a workload."""
