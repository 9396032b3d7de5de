-- The desk's tables as they stood before a database told its schema: version 1. Never changed.

CREATE TABLE counter (
  id INTEGER NOT NULL,
  value BIGINT NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE deliveries (
  delivery_id VARCHAR(64) NOT NULL,
  subscription VARCHAR(80) NOT NULL,
  url TEXT NOT NULL,
  form VARCHAR(16) NOT NULL,
  record TEXT NOT NULL,
  state VARCHAR(16) NOT NULL,
  tries INTEGER NOT NULL,
  due BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  error TEXT,
  PRIMARY KEY (delivery_id)
);

CREATE INDEX deliveries_due ON deliveries (state, due);

CREATE INDEX ix_deliveries_subscription ON deliveries (subscription);

CREATE TABLE stories (
  story_id VARCHAR(64) NOT NULL,
  seq BIGINT NOT NULL,
  dyad VARCHAR(200) NOT NULL,
  type VARCHAR(16) NOT NULL,
  claim VARCHAR(16) NOT NULL,
  tone VARCHAR(16) NOT NULL,
  peace VARCHAR(16) NOT NULL,
  timing VARCHAR(16) NOT NULL,
  status VARCHAR(16) NOT NULL,
  families INTEGER NOT NULL,
  shifted BOOLEAN NOT NULL,
  words TEXT NOT NULL,
  day VARCHAR(10),
  goldstein FLOAT NOT NULL,
  events INTEGER NOT NULL,
  first_seen BIGINT NOT NULL,
  last_seen BIGINT NOT NULL,
  lead TEXT NOT NULL,
  PRIMARY KEY (story_id),
  UNIQUE (seq)
);

CREATE INDEX ix_stories_dyad ON stories (dyad);

CREATE INDEX ix_stories_last_seen ON stories (last_seen);

CREATE TABLE subscriptions (
  id VARCHAR(80) NOT NULL,
  body TEXT NOT NULL,
  secret VARCHAR(200) NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (id)
);

CREATE TABLE tokens (
  name VARCHAR(80) NOT NULL,
  hash VARCHAR(64) NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (name),
  UNIQUE (hash)
);

CREATE TABLE alerts (
  alert_id VARCHAR(64) NOT NULL,
  subscription VARCHAR(80) NOT NULL,
  story_id VARCHAR(64) NOT NULL,
  seq BIGINT NOT NULL,
  raised_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  record TEXT NOT NULL,
  causes TEXT NOT NULL,
  PRIMARY KEY (alert_id),
  FOREIGN KEY(story_id) REFERENCES stories (story_id) ON DELETE CASCADE
);

CREATE INDEX alerts_of_subscription ON alerts (subscription, seq);

CREATE INDEX ix_alerts_story_id ON alerts (story_id);

CREATE TABLE story_events (
  story_id VARCHAR(64) NOT NULL,
  event_id VARCHAR(128) NOT NULL,
  position INTEGER NOT NULL,
  seen_at BIGINT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (story_id, event_id),
  FOREIGN KEY(story_id) REFERENCES stories (story_id) ON DELETE CASCADE
);

CREATE TABLE story_sides (
  story_id VARCHAR(64) NOT NULL,
  side VARCHAR(16) NOT NULL,
  PRIMARY KEY (story_id, side),
  FOREIGN KEY(story_id) REFERENCES stories (story_id) ON DELETE CASCADE
);

CREATE INDEX story_sides_side ON story_sides (side, story_id);
