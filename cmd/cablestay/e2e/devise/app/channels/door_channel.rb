# frozen_string_literal: true

class DoorChannel < ApplicationCable::Channel
  def look
    transmit(connection.door)
  end

  def unsubscribed
    logger.info("left: #{connection.door.to_json}")
  end
end
