package cache

const ristrettoOverhead = 80
