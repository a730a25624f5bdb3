# frozen_string_literal: true

module ApplicationCable
  class Connection < ActionCable::Connection::Base
    identified_by :user

    def connect
      self.user = request.params[:user].presence || reject_unauthorized_connection
      logger.add_tags user
    end
  end

  class Channel < ActionCable::Channel::Base
  end
end

# The channel of the contract's fixtures.
class RoomChannel < ApplicationCable::Channel
  def subscribed
    @room = params[:room]
    return reject if @room == "locked"

    stream_from "room_#{@room}"
    transmit({ members: 1 })
    ActionCable.server.broadcast("room_#{@room}", { joined: user })
  end

  def speak(data)
    @spoken = @spoken.to_i + 1
    transmit({ room: @room, text: data["text"], spoken: @spoken })
  end

  def unsubscribed
    transmit({ left: @room }) unless subscription_rejected?
  end
end

class ClockChannel < ApplicationCable::Channel
  periodically :tick, every: 3
  periodically -> { tick }, every: 0.5

  private
    def tick
      @ticks = @ticks.to_i + 1
      transmit({ ticks: @ticks })
    end
end

class LockChannel < ApplicationCable::Channel
  def subscribed
    @lock = Mutex.new
  end
end
