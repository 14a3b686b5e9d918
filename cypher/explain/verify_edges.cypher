// Which of these relationships exist. Lists stand side by side: what is at one place of each belongs together.
// Events: both ends are found by their unique id, so a hub costs no more than its other end. Relations: from the item
// or the user by their own type, so thousands of events cost nothing. One row per list, as rows cost more than columns.
//   $events MAP of users, items, kinds LIST<STRING> and times LIST<INTEGER> (null: any; milliseconds since 1970 UTC)
//   $taken MAP of items LIST<STRING>, users LIST<LIST<STRING>>: who took each, whatever the kind; starts LIST<INTEGER>:
//     how many users come before those of each
//   $outgoing, $incoming MAP of items, types, entities LIST<STRING>: from the item, from the entity
//   $stated MAP of users, types, entities LIST<STRING>
//   rows: list STRING, places LIST<INTEGER> of what exists (of $taken: among all users), event_ids LIST<STRING> of events
CALL () {
  UNWIND range(0, size($events.items) - 1) AS place
  MATCH (user:User {id: $events.users[place]})
  USING INDEX SEEK user:User(id)
  MATCH (item:Item {id: $events.items[place]})
  USING INDEX SEEK item:Item(id)
  MATCH (user)-[event:INTERACTED]->(item)
  WHERE event.kind = $events.kinds[place]
    AND ($events.times[place] IS NULL OR event.at.epochMillis = $events.times[place])
  WITH place, min(event.event_id) AS event_id
  RETURN 'events' AS list, collect(place) AS places, collect(coalesce(event_id, '')) AS event_ids
  UNION ALL
  UNWIND range(0, size($taken.items) - 1) AS list_place
  MATCH (item:Item {id: $taken.items[list_place]})
  USING INDEX SEEK item:Item(id)
  UNWIND range(0, size($taken.users[list_place]) - 1) AS place
  MATCH (user:User {id: $taken.users[list_place][place]})
  USING INDEX SEEK user:User(id)
  WITH list_place, place, item, user
  WHERE EXISTS { (user)-[:INTERACTED]->(item) }
  RETURN 'taken' AS list, collect($taken.starts[list_place] + place) AS places, [] AS event_ids
  UNION ALL
  UNWIND range(0, size($outgoing.items) - 1) AS place
  MATCH (item:Item {id: $outgoing.items[place]})
  USING INDEX SEEK item:Item(id)
  MATCH (item)-[:$($outgoing.types[place])]->(entity:Entity)
  WHERE entity.id = $outgoing.entities[place]
  RETURN 'outgoing' AS list, collect(place) AS places, [] AS event_ids
  UNION ALL
  UNWIND range(0, size($incoming.items) - 1) AS place
  MATCH (item:Item {id: $incoming.items[place]})
  USING INDEX SEEK item:Item(id)
  MATCH (item)<-[:$($incoming.types[place])]-(entity:Entity)
  WHERE entity.id = $incoming.entities[place]
  RETURN 'incoming' AS list, collect(place) AS places, [] AS event_ids
  UNION ALL
  UNWIND range(0, size($stated.users) - 1) AS place
  MATCH (user:User {id: $stated.users[place]})
  USING INDEX SEEK user:User(id)
  MATCH (user)-[:$($stated.types[place])]->(entity:Entity)
  WHERE entity.id = $stated.entities[place]
  RETURN 'stated' AS list, collect(place) AS places, [] AS event_ids
}
RETURN list, places, event_ids
ORDER BY list
LIMIT 5
