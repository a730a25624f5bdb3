# frozen_string_literal: true

class BroadcastJob < ActiveJob::Base
  def perform(broadcasting, message)
    ActionCable.server.broadcast(broadcasting, ActiveSupport::JSON.decode(message))
  end
end
