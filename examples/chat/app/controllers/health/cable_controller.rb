# frozen_string_literal: true

module Health
  class CableController < ApplicationController
    skip_before_action :authenticate_user!

    def show
      health = ActionCableHealth.check
      render json: health, status: health[:healthy] ? :ok : :service_unavailable
    end
  end
end
