# frozen_string_literal: true

# The figures are sent over the cable by a job, not in the response.
class DashboardsController < ApplicationController
  def update
    BroadcastUpdateJob.perform_later(
      current_user.dashboard_broadcasting,
      { "type" => "stats_update", "stats" => WorkspaceStats.new(current_user).as_json.stringify_keys }
    )
    head :accepted
  end
end
