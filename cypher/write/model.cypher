// Notes a trained model.
//   $version STRING, $trained_at DATETIME, $metrics STRING (JSON)
//   rows: none
MERGE (model:Model {version: $version})
SET model.trained_at = $trained_at, model.metrics = $metrics
