# frozen_string_literal: true

# Handles its broadcasts by itself, in each of the forms that stream_from has for it.
class BlockChannel < ApplicationCable::Channel
  def subscribed
    @heard = []
    @quiet = false
    case params[:form]
    when "block" then stream_from(broadcasting) { |payload| hear(payload) }
    when "block and coder" then stream_from(broadcasting, coder: ShoutingCoder) { |payload| hear(payload) }
    when "block and JSON" then stream_from(broadcasting, coder: ActiveSupport::JSON) { |payload| hear(payload) }
    when "callback" then stream_from(broadcasting, ->(payload) { hear(payload) })
    when "callback and coder" then stream_from(broadcasting, method(:hear), coder: ShoutingCoder)
    when "coder" then stream_from(broadcasting, coder: ShoutingCoder)
    when "block for a record" then stream_for(Member.find(params[:member])) { |payload| hear(payload) }
    end
  end

  def unsubscribed
    journal "unsubscribed", heard: @heard
  end

  def list
    transmit({ listed: @heard })
  end

  def hush(data)
    @quiet = data["quiet"]
    transmit({ quiet: @quiet })
  end

  private
    def broadcasting
      "block_#{params[:room]}"
    end

    def hear(payload)
      raise "this block never wants to hear #{payload}" if payload.to_s.include?("unbearable")

      @heard << payload
      transmit({ heard: payload, class: payload.class.name, times: @heard.size, by: device }) unless @quiet
    end
end
