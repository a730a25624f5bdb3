# app/controllers/health/cable_controller.rb

module Health
  class CableController < ApplicationController
    skip_before_action :authenticate_user!

    def show
      status = ActionCableHealth.check
      
      if status[:healthy]
        render json: status, status: :ok
      else
        render json: status, status: :service_unavailable
      end
    end
  end
end
