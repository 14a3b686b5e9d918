// Items that are no longer available; their history stays.
//   $ids LIST<STRING>
//   rows: none
UNWIND $ids AS id
MATCH (item:Item {id: id})
USING INDEX SEEK item:Item(id)
SET item.available = false
