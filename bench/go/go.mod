module jimm/bench

go 1.22
