// The same event is one relationship, however often it comes.
//   no parameters
//   rows: none
CREATE CONSTRAINT event_id IF NOT EXISTS
FOR ()-[event:INTERACTED]-()
REQUIRE event.event_id IS UNIQUE
