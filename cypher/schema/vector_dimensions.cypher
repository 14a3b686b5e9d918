// How many dimensions each vector index has.
//   no parameters
//   rows: name STRING, dimensions INTEGER
SHOW VECTOR INDEXES YIELD name, options
RETURN name, options.indexConfig['vector.dimensions'] AS dimensions
ORDER BY name
LIMIT 100
