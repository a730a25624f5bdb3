# frozen_string_literal: true

class BroadcastUpdateJob < ApplicationJob
  queue_as :realtime

  def perform(broadcasting, message)
    ActionCable.server.broadcast(broadcasting, message)
  end
end
