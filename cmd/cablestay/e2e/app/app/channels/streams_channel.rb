# frozen_string_literal: true

# Starts and stops the streams that it is told to, in subscribed and in actions.
class StreamsChannel < ApplicationCable::Channel
  def subscribed
    Array(params[:streams]).each { |name| stream_from "streams_#{name}" }
    Array(params[:members]).each { |id| stream_for Member.find(id) }
    reject if params[:reject]
    journal "subscribed"
  end

  def unsubscribed
    ActionCable.server.broadcast("streams_#{params[:farewell]}", { left: device }) if params[:farewell]
    journal "unsubscribed"
  end

  def start(data)
    data["streams"].each { |name| stream_from "streams_#{name}" }
    transmit({ started: data["streams"] })
  end

  def start_and_wait(data)
    stream_from "streams_#{data["stream"]}"
    Gate.pass(data["gate"])
    ActionCable.server.broadcast("streams_#{data["stream"]}", { told: data["stream"] })
    transmit({ started: data["stream"] })
  end

  def start_symbol(data)
    stream_from :"streams_#{data["stream"]}"
    transmit({ started: data["stream"] })
  end

  def stop_symbol(data)
    stop_stream_from :"streams_#{data["stream"]}"
    transmit({ stopped: data["stream"] })
  end

  def start_object(data)
    stream_from Struct.new(:to_s).new("streams_#{data["stream"]}")
    transmit({ started: data["stream"] })
  end

  def stop(data)
    stop_stream_from "streams_#{data["stream"]}"
    transmit({ stopped: data["stream"] })
  end

  def stop_and_tell(data)
    stop_stream_from "streams_#{data["stream"]}"
    ActionCable.server.broadcast("streams_#{data["stream"]}", { stopped: data["stream"] })
    transmit({ stopped: data["stream"] })
  end

  def stop_member(data)
    stop_stream_for Member.find(data["member"])
    transmit({ stopped: data["member"] })
  end

  def stop_all
    stop_all_streams
    transmit({ stopped: "all" })
  end

  def names(data)
    transmit({ channel: channel_name, string: broadcasting_for("a"), list: broadcasting_for([ "a", [ 1, :b ] ]),
      record: self.class.broadcasting_for(Member.find(data["member"])) })
  end

  def tell(data)
    broadcast_to(Member.find(data["member"]), { told: data["text"] })
  end
end
