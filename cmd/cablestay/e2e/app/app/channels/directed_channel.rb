# frozen_string_literal: true

# Does, in the block of a stream, whatever a broadcast tells it to.
class DirectedChannel < ApplicationCable::Channel
  def subscribed
    stream_from("directed_#{params[:room]}", coder: ActiveSupport::JSON) { |order| obey(order) }
  end

  def unsubscribed
    journal "unsubscribed"
  end

  private
    def obey(order)
      case order["do"]
      when "start" then stream_from order["name"]
      when "stop" then stop_stream_from order["name"]
      when "stop all" then stop_all_streams
      when "tell" then ActionCable.server.broadcast(order["name"], { told: device })
      when "raw" then connection.transmit({ type: "custom", device: device })
      when "close" then connection.close(reason: "told to", reconnect: false)
      end
      transmit({ done: order["do"] })
    end
end
