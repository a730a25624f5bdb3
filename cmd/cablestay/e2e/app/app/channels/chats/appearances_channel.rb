# frozen_string_literal: true

# In a module, which its broadcastings are named after, and only for those for whom there is something to see.
class Chats::AppearancesChannel < ApplicationCable::Channel
  def subscribed
    stream_or_reject_for(params[:member] && Member.find(params[:member]))
  end

  def named
    transmit({ channel: channel_name, broadcasting: broadcasting_for("x") })
  end
end
