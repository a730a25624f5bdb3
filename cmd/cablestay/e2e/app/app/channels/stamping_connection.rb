# frozen_string_literal: true

# Changes every frame that it sends itself; pings too.
class StampingConnection < ApplicationCable::Connection
  def transmit(frame)
    super(frame.merge(stamp: device || "nobody"))
  end
end
