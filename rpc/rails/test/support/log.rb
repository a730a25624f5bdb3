# frozen_string_literal: true

require "stringio"

# What Action Cable and the gem log while the block runs.
module Log
  # At this level, from the connections on that the block opens.
  def self.at(level)
    before = ActionCable.server.config.logger
    ActionCable.server.config.logger = ActiveSupport::TaggedLogging.new(Logger.new(File::NULL, level: level))
    yield
  ensure
    ActionCable.server.config.logger = before
  end

  def self.of
    before = ActionCable.server.config.logger
    lines = StringIO.new
    ActionCable.server.config.logger = ActiveSupport::TaggedLogging.new(Logger.new(lines))
    yield
    lines.string
  ensure
    ActionCable.server.config.logger = before
  end
end
