// How uneven the catalogue is taken: the share of all events that goes to the most taken tenth of the items.
//   rows: items INTEGER, events INTEGER, top_items INTEGER, top_events INTEGER, share FLOAT
MATCH (item:Item)
WITH COUNT { (item)<-[:INTERACTED]-() } AS events
ORDER BY events DESC
WITH collect(events) AS counts
WITH counts, size(counts) AS items, toInteger(ceil(size(counts) / 10.0)) AS top_items
WITH items, top_items, reduce(total = 0, x IN counts | total + x) AS events,
     reduce(total = 0, x IN counts[0..top_items] | total + x) AS top_events
RETURN items, events, top_items, top_events, CASE WHEN events = 0 THEN 0.0 ELSE top_events * 1.0 / events END AS share
LIMIT 1
