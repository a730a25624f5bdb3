# frozen_string_literal: true

require "stringio"

# What Action Cable and the gem log while the block runs.
module Log
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
