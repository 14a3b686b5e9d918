// Makes the items that are missing, bare: somebody did something with an item that no catalogue has named yet.
//   $ids LIST<STRING>
//   rows: none
UNWIND $ids AS id
MERGE (item:Item {id: id})
ON CREATE SET item.name = id, item.item_kind = 'item', item.available = true
