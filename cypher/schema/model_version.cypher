// Models are told apart by version.
//   no parameters
//   rows: none
CREATE CONSTRAINT model_version IF NOT EXISTS
FOR (model:Model)
REQUIRE model.version IS UNIQUE
