# frozen_string_literal: true

class DashboardChannel < ApplicationCable::Channel
  def subscribed
    stream_from current_user.dashboard_broadcasting
  end
end
